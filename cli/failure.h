#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "cli/report_json.h"
#include "mime/error.h"

namespace p11mime::cli {

/// status_of is the exit status of an error, result_of its result in a report.
int status_of(ErrorKind kind);
std::string result_of(const Error& error);

/// current_error is the exception being handled, as an Error.
Error current_error();

/// reads_mail says of a command that its report is that of a mail that was read.
bool reads_mail(std::string_view command);

/// error_frame begins the report of a command that ended in an error, error_report is all of it; empty_report is that
/// of a frame without the command's own members filled in.
ReportFrame error_frame(Context& context, const Error& error);
std::string error_report(Context& context, const Error& error);
std::string empty_report(const ReportFrame& frame);

/// page_path is where --html goes, of commands that have it.
std::optional<std::string> page_path(const Options& options);
/// write_error_page has the page of --html say that the mail was not judged, so that the page of another mail does not
/// stay in its place. After a usage error it leaves the file alone, which may not be meant.
void write_error_page(Context& context, const Error& error);

}  // namespace p11mime::cli
