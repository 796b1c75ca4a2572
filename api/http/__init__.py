"""What HTTP itself asks for: media types, ranges, compression, validators, problem documents."""
