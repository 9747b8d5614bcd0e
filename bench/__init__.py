"""Measurements that a person can repeat: `make bench`. No part of the product."""
