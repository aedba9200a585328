#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace p11mime {

/// ErrorKind says what went wrong in the terms of the documented exit codes.
enum class ErrorKind {
    failed,     ///< the message fails: encrypted content was changed or a wrong key was used (exit 1)
    usage,      ///< the command line, config or call is wrong (exit 2)
    untrusted,  ///< a certificate is not to be trusted for what is asked (exit 3)
    token,      ///< no module, reader, token or key; PIN wrong, blocked or refused; card removed (exit 4)
    no_key,     ///< none of the keys at hand is a recipient, or a recipient has no certificate (exit 5)
    malformed,  ///< malformed input, an unsupported algorithm, or not S/MIME (exit 6)
    io,         ///< reading or writing failed (exit 7)
};

/// Error is the one exception type. what() is one line that names the cause; hint() says what can be done about it, or
/// is empty. Neither ever holds a PIN, a key or content of a mail.
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message, std::string hint = {})
        : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

    ErrorKind kind() const { return kind_; }
    const std::string& hint() const { return hint_; }

  private:
    ErrorKind kind_;
    std::string hint_;
};

}  // namespace p11mime
