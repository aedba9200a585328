#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "cli/options.h"
#include "cli/pins.h"
#include "cms/certificate_request.h"
#include "cms/smime/encrypt.h"
#include "cms/smime/read.h"
#include "cms/trust.h"

namespace p11mime::cli {

/// Readers of options with a fixed set of values. Each throws Error(usage) naming the option and what it takes.
cms::smime::Form form_of(const Options& options);
bool wants_der(const Options& options);  ///< --form of what is PEM by default

/// CertificatesForm is how certs export writes; p7c is CMS with certificates only (RFC 8551 section 3.8).
enum class CertificatesForm { pem, der, p7c };
CertificatesForm certificates_form_of(const Options& options);

std::optional<cms::Hash> digest_of(const Options& options);
const cms::Algorithm* cipher_of(const Options& options, std::string_view name);  ///< null where unset
/// protects_headers says whether header fields go inside; `usual` is what the command does by itself.
bool protects_headers(const Options& options, bool usual);
std::optional<cms::smime::SenderCheck> sender_check_of(const Options& options);
cms::Purpose purpose_of(const Options& options);
cms::PolicyDemands policy_demands_of(const Options& options);
std::optional<cms::Time> time_of(const Options& options);
std::chrono::days lifetime_of(const Options& options);
cms::Profile profile_of(const Options& options);
/// wait_of is --wait in seconds; nothing where it is not given.
std::optional<std::chrono::seconds> wait_of(const Options& options);
/// Revocation is --revocation: where whether a certificate is revoked is looked for.
enum class Revocation { off, offline, online };
Revocation revocation_of(const Options& options);
PinSettings pin_settings_of(const Options& options);

/// check_settings reads all of them, so that a mistake on the command line or in the config shows before anything is
/// done.
void check_settings(const Options& options);

}  // namespace p11mime::cli
