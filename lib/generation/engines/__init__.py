"""The programs that run a language model on this machine; `registry` has an entry for each."""
