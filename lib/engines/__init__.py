"""The programs that run a language model; `lib.llm` chooses among them."""
