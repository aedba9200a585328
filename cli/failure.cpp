#include "cli/failure.h"

#include <fmt/format.h>

#include <new>

#include "cli/commands.h"
#include "cli/delivery.h"
#include "cli/html_page.h"
#include "cli/listing_json.h"

namespace p11mime::cli {

bool reads_mail(std::string_view command) {
    return command == "verify" || command == "decrypt" || command == "open" || command == "inspect";
}

int status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::failed:
            return 1;
        case ErrorKind::usage:
            return 2;
        case ErrorKind::untrusted:
            return 3;
        case ErrorKind::token:
            return 4;
        case ErrorKind::no_key:
            return 5;
        case ErrorKind::malformed:
            return 6;
        case ErrorKind::io:
            return 7;
    }
    return 7;
}

std::string result_of(const Error& error) {
    if (error.kind() == ErrorKind::failed) return "invalid";
    return error.kind() == ErrorKind::untrusted ? "untrusted" : "error";
}

Error current_error() {
    try {
        throw;
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return Error(ErrorKind::io, "out of memory");
    } catch (const std::exception& error) {
        return Error(ErrorKind::io, fmt::format("internal error: {}", error.what()));
    }
}

std::string empty_report(const ReportFrame& frame) {
    if (reads_mail(frame.command)) return read_report(frame, {});
    if (frame.command == "tokens") return tokens_report(frame, {}, {});
    if (frame.command == "doctor") return doctor_report(frame, {});
    if (frame.command.starts_with("key ")) return key_report(frame, {});
    if (frame.command == "certs lookup") return lookup_report(frame, {});
    if (frame.command.starts_with("certs ")) return certs_report(frame, {}, {});
    return made_report(frame, {});
}

ReportFrame error_frame(Context& context, const Error& error) {
    ReportFrame frame = frame_of(context, status_of(error.kind()), result_of(error));
    if (error.kind() == ErrorKind::failed)
        frame.warnings.push_back({reads_mail(frame.command) ? "decryption-failed" : "failed", error.what()});
    if (error.kind() == ErrorKind::untrusted) frame.warnings.push_back({"untrusted", error.what()});
    frame.error = error;
    return frame;
}

std::string error_report(Context& context, const Error& error) {
    ReportFrame frame = error_frame(context, error);
    if (context.input_opened()) {
        try {
            frame.message = context.message();
        } catch (const Error&) {
            // What made the command fail may make this fail too.
            frame.message = {};
        }
    }
    return empty_report(frame);
}

std::optional<std::string> page_path(const Options& options) {
    return options.takes(kVerdict) ? options.text("html") : std::nullopt;
}

void write_error_page(Context& context, const Error& error) {
    const auto path = page_path(context.options());
    if (!path || error.kind() == ErrorKind::usage) return;
    cms::smime::Report report;
    report.result = cms::smime::Result::error;
    report.reason = error.what();
    report.hint = error.hint();
    const auto page = context.output_to(*path);
    page->stage_bytes(to_bytes(bytes_of(html_page(report, std::nullopt, context.now()))));
    deliver({page.get()});
}

}  // namespace p11mime::cli
