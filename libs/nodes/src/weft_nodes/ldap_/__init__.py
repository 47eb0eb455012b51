"""LDAP."""
