#pragma once

#include <string>

namespace p11mime {

/// SharedLibrary is a library that is loaded where it is needed first, since most runs do without and linking it costs
/// each of them time. It stays loaded: others in the process may use it too.
class SharedLibrary {
  public:
    /// `name` is the file's name as the loader looks for it, "libcurl.so.4". Throws Error(io) with the hint to install
    /// `package` where it is missing.
    SharedLibrary(std::string name, std::string package);

    /// take finds a function: take(perform, "curl_easy_perform") with `decltype(&curl_easy_perform) perform`. Throws
    /// Error(io) where the library has none of that name.
    template <class Function>
    void take(Function& function, const char* symbol) const {
        function = reinterpret_cast<Function>(find(symbol));
    }

  private:
    void* find(const char* symbol) const;

    std::string name_;
    std::string package_;
    void* handle_;
};

}  // namespace p11mime
