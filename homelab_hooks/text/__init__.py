"""Text utilities: sanitize external text, redact secrets, and format values."""
