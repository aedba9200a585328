#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace p11mime::cli {

/// Groups is a set of groups.
using Groups = std::uint64_t;

/// Group is a set of options that commands share; a command takes the options of its groups.
enum Group : Groups {
    kGeneral = 1U << 0,      ///< every command
    kOutput = 1U << 1,       ///< writes data
    kOwnCerts = 1U << 2,     ///< looks for one's own keys by certificates that are not on a token
    kNoOutput = 1U << 3,     ///< may give the verdict alone
    kMail = 1U << 4,         ///< reads a mail
    kForm = 1U << 5,         ///< writes a mail or bare CMS
    kTokens = 1U << 6,       ///< uses tokens
    kSign = 1U << 7,         ///< signs
    kDetached = 1U << 8,     ///< may give the signature alone
    kTriple = 1U << 9,       ///< may sign twice
    kSender = 1U << 10,      ///< has a sender
    kRecipients = 1U << 11,  ///< encrypts
    kTrust = 1U << 12,       ///< validates certificates
    kChain = 1U << 13,       ///< takes intermediates
    kVerdict = 1U << 14,     ///< judges signatures
    kContent = 1U << 15,     ///< takes detached content
    kShowKeys = 1U << 16,
    kGenerate = 1U << 17,
    kLabel = 1U << 18,
    kOneKey = 1U << 19,
    kSubject = 1U << 20,
    kDays = 1U << 21,
    kDelete = 1U << 22,
    kNewPin = 1U << 23,
    kPuk = 1U << 24,
    kPemOrDer = 1U << 25,
    kMany = 1U << 26,                  ///< takes many mails
    kConfigOnly = 1U << 27,            ///< a key of the config files for commands that have no such option too
    kCompress = 1U << 28,              ///< may compress the content
    kCertsForm = 1U << 29,             ///< writes certificates
    kSecrets = 1U << 30,               ///< takes shared secrets, to encrypt or to decrypt with
    kTestSignature = Groups{1} << 32,  ///< may make a test signature
    kImport = Groups{1} << 33,         ///< imports a key
    kModules = Groups{1} << 34,        ///< looks at tokens and asks for no PIN
    kWatch = Groups{1} << 35,          ///< watches cards
    kLookup = Groups{1} << 36,         ///< looks for certificates in directories
    kHeaders = Groups{1} << 37,        ///< may put header fields inside
    kAnchors = Groups{1} << 38,        ///< tells of what verification would not accept
};

enum class OptionKind { flag, text, list };

/// OptionSpec is one line of the table of options.
struct OptionSpec {
    const char* name;  ///< long name, without dashes
    char letter;       ///< short name, or 0
    OptionKind kind;
    const char* value;        ///< what the value is, for help; "" for a flag
    const char* description;  ///< for help; "" where the name says it all
    Groups groups;
};

/// option_table is every option in the order in which help shows them. A name may be there twice with different
/// meanings, for different commands.
std::span<const OptionSpec> option_table();

/// CommandSpec is one command of the command line.
struct CommandSpec {
    const char* name;       ///< "sign", "key generate"
    const char* arguments;  ///< for help: what follows the options
    const char* summary;
    Groups groups;
    std::size_t most_files;  ///< how many positional arguments it takes
};

std::span<const CommandSpec> command_table();
const CommandSpec* find_command(std::string_view name);

/// is_command_group says whether a name is the first word of two-word commands ("key", "certs").
bool is_command_group(std::string_view name);

}  // namespace p11mime::cli
