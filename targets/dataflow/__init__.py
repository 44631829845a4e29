"""Dataflow: Lispress and SMCalFlow."""
