"""Everything that draws; takes plain values, returns plain values."""
