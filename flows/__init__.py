"""The order of the work: the steps, the Prefect flows over them, and the command line."""
