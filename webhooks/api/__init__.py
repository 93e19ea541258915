"""Doors for machines that are not WeChat's."""
