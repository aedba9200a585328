#pragma once

#include <string>
#include <vector>

#include "cli/address_book.h"
#include "cli/check.h"
#include "cli/report_json.h"
#include "cms/trust.h"
#include "mime/error.h"
#include "token/token.h"

namespace p11mime::cli {

/// TokenListing is one token with what could be seen on it.
struct TokenListing {
    token::TokenInfo info;
    std::string uri;
    std::vector<token::CertificateObject> certificates;
    std::vector<token::KeyObject> keys;
    bool keys_complete = false;        ///< logged in, so that no private key is hidden
    std::optional<Error> login_error;  ///< why --login failed
};

/// OtherImport is a certificate that came along with imported keys.
struct OtherImport {
    cms::Certificate certificate;
    bool in_book = false;  ///< in the address book now, else nowhere
};
struct Imported {
    std::vector<token::ImportedKey> keys;
    std::vector<OtherImport> others;
};

/// KeyReport is the outcome of a key command.
struct KeyReport {
    std::optional<std::string> token;             ///< label
    std::optional<std::string> uri;               ///< of the key or token concerned
    std::optional<cms::Certificate> certificate;  ///< made or imported
    std::optional<std::size_t> deleted;           ///< objects
    std::optional<Imported> imported{};           ///< of a PKCS#12 file
};

/// LookedUp is a certificate that a directory has.
struct LookedUp {
    cms::Certificate certificate;
    std::string directory;  ///< its URL
    std::string reason;     ///< why it is not usable; "" where it is
    cms::PathVerdict path;  ///< without a chain where none was looked for
    bool kept = false;      ///< in the address book now
};

/// The JSON of tokens, doctor, key … and certs …, each one line.
std::string tokens_report(const ReportFrame& frame, const std::vector<token::SlotState>& slots,
                          const std::vector<TokenListing>& tokens,
                          std::optional<std::size_t> forgotten_pins = std::nullopt);
std::string doctor_report(const ReportFrame& frame, const Checks& checks);
std::string key_report(const ReportFrame& frame, const KeyReport& report);
std::string certs_report(const ReportFrame& frame, const std::vector<BookEntry>& certificates,
                         const std::vector<Anchor>& anchors);
std::string lookup_report(const ReportFrame& frame, const std::vector<LookedUp>& found);

}  // namespace p11mime::cli
