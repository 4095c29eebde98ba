"""The programs that run a language model; `lib.generation.generate` chooses among them."""
