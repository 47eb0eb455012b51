"""What nodes of files share: encodings, kinds of files, tables in text and sheets, calendars, PDF."""
