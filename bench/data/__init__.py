"""Data for the paper's tasks: folders of the real data sets, checked as they are read, and stand-ins that need no download."""
