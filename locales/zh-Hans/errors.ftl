error-not-found = 这个地址没有内容。请核对地址，或搜索您要找的内容。
error-unauthorized = 请先登录。
error-forbidden = 您的角色没有这项权限。
error-invalid = 提交的内容有误，请更正后再试。
error-too-large = 内容太大，无法接收。
error-too-many = 请求过于频繁，请在 { $seconds } 秒后再试。
error-internal = 服务器出了问题，我们已记录。请稍后再试。
error-unavailable = 暂时无法使用，请稍后再试。
