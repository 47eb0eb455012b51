"""What nodes of databases share: statements from parameters, values in and out."""
