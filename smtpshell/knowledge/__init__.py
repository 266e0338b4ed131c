"""What replies mean and what to do about them, as data; explain() is the only way in."""
