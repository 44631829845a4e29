"""ThingTalk: reader, writer, class files."""
