"""What was known of a patient on a day: each fact from the rows of the extract that it rests on."""
