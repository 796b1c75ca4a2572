"""HTTP itself: media types, content negotiation, byte ranges, compression, ETags, problem documents."""
