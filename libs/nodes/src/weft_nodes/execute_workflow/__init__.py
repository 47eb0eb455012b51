"""Execute Sub-workflow."""
