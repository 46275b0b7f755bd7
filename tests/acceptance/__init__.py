"""The contracts from outside: canonical CSV folders go in, the warehouse is asked by SQL."""
