"""Judging a derivation: refute first with exact small numbers, prove second, else say so."""
