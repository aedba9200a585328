#pragma once

#include "cli/context.h"
#include "cli/report_json.h"

namespace p11mime::cli {

/// The commands. Each returns the exit status (before --sysexits), or throws Error.
int sign(Context& context);
int encrypt(Context& context);
int seal(Context& context);
int verify(Context& context);
int decrypt(Context& context);
int open(Context& context);
int inspect(Context& context);
int list_tokens(Context& context);
int watch(Context& context);
int examine(Context& context);  ///< doctor
int generate_key(Context& context);
int request_certificate(Context& context);
int self_sign(Context& context);
int import_certificate(Context& context);
int import_p12(Context& context);
int delete_key(Context& context);
int change_pin(Context& context);
int unblock_pin(Context& context);
int import_certificates(Context& context);
int list_certificates(Context& context);
int export_certificates(Context& context);
int remove_certificates(Context& context);
int trust_certificate(Context& context);
int lookup_certificates(Context& context);

/// frame_of begins the report of a command.
ReportFrame frame_of(Context& context, int exit, std::optional<std::string> result);

}  // namespace p11mime::cli
