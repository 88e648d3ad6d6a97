"""What shows whether a calibration can be believed: metrics, findings, maps, verdict."""
