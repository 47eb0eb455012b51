"""iCalendar."""
