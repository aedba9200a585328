#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "cms/job.h"
#include "cms/key_management.h"
#include "cms/smime/form.h"
#include "cms/smime/report.h"
#include "cms/smime/sender.h"
#include "cms/sources.h"
#include "cms/trust.h"

namespace p11mime::cms::smime {

/// Task is how far a mail is taken apart.
enum class Task {
    verify,   ///< signed layers on the outside
    decrypt,  ///< encrypted layers on the outside
    open,     ///< every layer
    inspect,  ///< every layer that needs no key; nothing is verified or trusted
};

struct ReadOptions {
    Task task = Task::open;
    bool entity = false;
    std::optional<SenderCheck> sender_check;  ///< where unset: require for a mail that has a From field, else off
    KnownAddresses known_addresses;           ///< of correspondents, for senders that look like one; may be empty
    bool allow_weak = false;
    std::string name;      ///< of the input, for the PIN prompt of a mail that does not show its subject; may be empty
    GivenSecrets secrets;  ///< for KEK and password recipients
    std::shared_ptr<const Input>
        detached_content;  ///< verify --content: what a bare detached signature signs, byte for byte, or null
    std::stop_token stop;
};

/// ReadJob takes layers off a mail, writing the content.
class ReadJob : public Job {
  public:
    /// report is complete once pass() has returned true. After Error(failed) it is what is known of the mail from
    /// outside of what failed, and its result is invalid.
    virtual const Report& report() const = 0;
};

/// read_job makes a job that reads a mail. `keys` may be null for verify and inspect; `trust` may be null for decrypt
/// and inspect. Both must outlive the job.
///
/// Throws from pass(): Error(failed) where encrypted content was changed or does not decrypt, Error(no_key),
/// Error(token), Error(malformed) also where there is no layer of the kind that the task needs (open accepts a mail
/// without any).
std::unique_ptr<ReadJob> read_job(DecrypterSource* keys, const Trust* trust, ReadOptions options);

}  // namespace p11mime::cms::smime
