"""Files from elsewhere: downloaded, checked and unpacked."""
