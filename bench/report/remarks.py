"""What the tables mean, in words: written by hand from the numbers, so read again whenever they change."""

REMARKS = """"""
