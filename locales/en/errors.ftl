error-not-found = There is nothing at this address. Check it, or search for what you need.
error-unauthorized = Sign in to do this.
error-forbidden = Your role does not allow this.
error-invalid = Something in what you sent needs to be corrected.
error-too-large = That is too large to be accepted.
error-too-many = Too many requests. Try again in { $seconds } s.
error-internal = Something went wrong on our side. It has been logged; try again in a moment.
error-unavailable = This is not available at the moment. Please try again shortly.
