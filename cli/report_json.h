#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/message.h"
#include "cms/certificate.h"
#include "cms/smime/report.h"
#include "mime/error.h"

namespace p11mime::cli {

/// ReportFrame is what the reports of all commands have in common.
struct ReportFrame {
    std::string command;
    int exit = 0;  ///< before --sysexits
    /// As docs/json.md has it where a mail was read, else "done" or "error"; nothing where nothing was judged.
    std::optional<std::string> result;
    std::string reason;                ///< why the result is not a good one, where no error says it
    std::string hint;                  ///< what could be done about it
    std::optional<std::string> input;  ///< file name, "-" for standard input; nothing where there is none
    Message message;
    std::vector<cms::smime::Warning> warnings;
    std::optional<Error> error;
};

/// UsedCertificate is a signer or recipient in the report of sign, encrypt and seal.
struct UsedCertificate {
    cms::Certificate certificate;
    std::string token;     ///< label; "" where no token is concerned
    std::string delivery;  ///< of a recipient: "main", or "bcc" for a copy of its own
};

/// MadeReport is the own part of the report of sign, encrypt and seal.
struct MadeReport {
    std::vector<UsedCertificate> signers;
    std::vector<UsedCertificate> recipients;
    std::optional<std::string> cipher;
    std::vector<std::string> shared_secrets{};  ///< "kek", "password"
};

/// read_report is the JSON of verify, decrypt, open and inspect, as docs/json.md has it; `layers` may be empty.
/// made_report is that of sign, encrypt and seal. Each is one line.
std::string read_report(const ReportFrame& frame, const cms::smime::Report& report);
std::string made_report(const ReportFrame& frame, const MadeReport& made);

}  // namespace p11mime::cli
