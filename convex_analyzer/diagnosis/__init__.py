"""The recap table of lecture 001, executable: problem, evidence, verdict, workaround."""
