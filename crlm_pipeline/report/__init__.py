"""From safe counts to the audit report."""
