"""The desktop application of the CASSI calibration: what the technician sees. It computes nothing; `cassi_core` does."""
