"""From accepted rows to patients, lines of therapy, decisions and the facts known on each decision date."""
