#!/bin/sh
# The drill's own solution, for Harbor's oracle.
exec /usr/bin/python3 /solution/solve.py
