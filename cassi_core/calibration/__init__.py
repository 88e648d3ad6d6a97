"""The calibration algorithms and the pipeline that runs them."""
