"""Decides: the Solve Loop of KCS (capture, reuse, improve) and the work that serves it."""
