#!/bin/sh
# Asks the lab how the run ended, and writes the reward. -I: nothing that the agent left can change the program.
exec /usr/bin/python3 -I /tests/verdict.py
