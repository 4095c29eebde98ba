"""Pictures that no private record had a part in: random ones of a simulator, or of a public set."""
