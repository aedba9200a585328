#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cms/secret.h"
#include "mime/bytes.h"
#include "token/cryptoki.h"

namespace p11mime::token {

/// Template is a list of attributes to search for or to create an object from; it owns their values.
class Template {
  public:
    Template& add(CK_ATTRIBUTE_TYPE type, ByteView value);
    Template& add(CK_ATTRIBUTE_TYPE type, std::string_view text) { return add(type, bytes_of(text)); }
    Template& add(CK_ATTRIBUTE_TYPE type, CK_ULONG number);
    Template& add_bool(CK_ATTRIBUTE_TYPE type, bool value);
    Template& add_secret(CK_ATTRIBUTE_TYPE type, SecretBytes value);  ///< stays in wiped memory

    /// list is what Cryptoki takes; valid as long as the template lives unchanged.
    std::vector<CK_ATTRIBUTE> list() const;

  private:
    std::vector<std::pair<CK_ATTRIBUTE_TYPE, Bytes>> values_;
    std::vector<std::pair<CK_ATTRIBUTE_TYPE, std::shared_ptr<const SecretBytes>>> secrets_;
};

/// objects_of_class begins a search template.
Template objects_of_class(CK_OBJECT_CLASS object_class);

/// Attributes is what an object has told of itself; what it does not have is absent.
class Attributes {
  public:
    void set(CK_ATTRIBUTE_TYPE type, Bytes value) { values_[type] = std::move(value); }

    const Bytes* find(CK_ATTRIBUTE_TYPE type) const;            ///< null where absent
    Bytes bytes(CK_ATTRIBUTE_TYPE type) const;                  ///< empty where absent
    std::string text(CK_ATTRIBUTE_TYPE type) const;             ///< "" where absent
    std::optional<bool> boolean(CK_ATTRIBUTE_TYPE type) const;  ///< nothing where absent or no CK_BBOOL
    std::optional<CK_ULONG> number(CK_ATTRIBUTE_TYPE type) const;

  private:
    std::map<CK_ATTRIBUTE_TYPE, Bytes> values_;
};

}  // namespace p11mime::token
