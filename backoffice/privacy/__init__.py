"""What is known of a person: all of it as JSON for them, or forgotten. Which table holds what is declared, table by table."""
