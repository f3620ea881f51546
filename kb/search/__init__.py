"""Finds: encoder, index, fusion and ranking. The only package that imports Qdrant or sentence-transformers."""
