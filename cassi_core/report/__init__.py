"""The report of a calibration: one self-contained page to read, to print and to keep."""

from cassi_core.report.content import ReportContent, content_of_file, content_of_result
from cassi_core.report.page import check_report_name, report_html, write_report

__all__ = ["ReportContent", "check_report_name", "content_of_file", "content_of_result", "report_html", "write_report"]
