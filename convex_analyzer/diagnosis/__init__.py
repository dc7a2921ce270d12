"""The recap table of lecture 001, executable: problem, diagnostic, evidence, verdict, workaround."""
