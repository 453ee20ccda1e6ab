"""What schemathesis is told of the control API beside its document. Read by it through SCHEMATHESIS_HOOKS."""

import re

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance


@schemathesis.check
def well_formed_is_taken(ctx, response, case):
    """A request that the document allows is taken, unless its value is none that stands: a past expiry, a cursor of no page.

    No schema can say that. Such a refusal has a code of its own, which no malformed request gets.
    To JSON Schema 2647.0 is a whole number; here whole numbers are written without a fraction.
    """
    if response.status_code == 400:
        problem = response.json()
        fraction = re.search(r"floating point `-?[0-9.]+(e[0-9]+)?`, expected [iu](8|16|32|64|size)", problem["detail"])
        if problem["code"] == "invalid_value" or fraction:
            return None
    return positive_data_acceptance(ctx, response, case)


@schemathesis.check
def a_refusal_is_a_problem(ctx, response, case):
    """Every answer over 399 is an RFC 9457 problem, also where the document says nothing (unknown methods and paths)."""
    if response.status_code < 400:
        return None
    content_type = response.headers.get("content-type", [""])[0]
    assert content_type == "application/problem+json", f"{response.status_code} is {content_type}"
    problem = response.json()
    assert problem["status"] == response.status_code, problem
    assert problem["type"] == f"urn:lintel:problem:{problem['code']}", problem
    assert problem["detail"], problem
    return None
