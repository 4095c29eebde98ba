"""Text with personal data in known places: slots, the values that fill them, spans, tags and files."""
