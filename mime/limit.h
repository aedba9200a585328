#pragma once

#include <string>
#include <utility>

#include "mime/error.h"

namespace p11mime {

/// LimitExceeded is the Error(malformed) of input that is deeper, larger or more work than a limit allows. It may be
/// made to exhaust whoever reads it, so nothing of it is read on, where other faults of a part may be passed over.
class LimitExceeded final : public Error {
  public:
    explicit LimitExceeded(const std::string& message, std::string hint = {})
        : Error(ErrorKind::malformed, message, std::move(hint)) {}
};

}  // namespace p11mime
