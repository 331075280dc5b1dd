"""Which split a file is in that no folder or table has put into one."""
